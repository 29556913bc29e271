import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { parseSource, redact, redactorFor } from "./source_url.ts";

const open_policy = { allow_files: true, allow_loopback: true, allow_private: true };
const closed_policy = { allow_files: false, allow_loopback: false, allow_private: false };

function refusalOf(text: string, policy = open_policy): string {
  try {
    parseSource(text, policy);
  } catch (error) {
    return (error as Error).message;
  }
  return "accepted";
}

describe("parseSource", () => {
  it("knows files, HTTP, RTSP and test patterns", () => {
    expect(parseSource("clips/a b.mp4", open_policy)).toEqual({
      kind: "file",
      path: "clips/a b.mp4",
      label: "a b.mp4",
    });
    expect(parseSource("file:///tmp/a%20b.mp4", open_policy)).toMatchObject({
      kind: "file",
      path: "/tmp/a b.mp4",
    });
    expect(parseSource("https://cam.example/x?y=1", open_policy)).toMatchObject({
      kind: "http",
      host: "cam.example",
      port: 443,
    });
    expect(parseSource("rtsp://u:p@cam/live", open_policy)).toMatchObject({
      ...{ kind: "rtsp", host: "cam", port: 554, label: "rtsp://cam/…" },
    });
    expect(parseSource("testsrc:", open_policy)).toMatchObject({ graph: "testsrc2=size=640x480:rate=25" });
    expect(parseSource("testsrc:pattern?size=320x240&rate=12.5&name=smptebars", closed_policy)).toEqual({
      ...{ kind: "testsrc", graph: "smptebars=size=320x240:rate=12.5", rate_hz: 12.5, label: "testsrc:" },
    });
  });

  it("refuses every other scheme and form", () => {
    const hostile = [
      ...[
        "data:video/mp4;base64,AAAA",
        "concat:a.ts|b.ts",
        "subfile,,start,0,end,9,,:/etc/passwd",
        "tcp://127.0.0.1:1",
      ],
      ...[
        "-i",
        "--help",
        "",
        "http://a\\@b/",
        "file://host/etc/passwd",
        "http://\u0000/",
        "rtmp://x/",
        "lavfi:movie=x",
      ],
      ...[
        "crypto:file.ts",
        "pipe:0",
        "unix:/run/x",
        "javascript:1",
        "http://",
        "rtsp:///cam",
        "a\nb",
        "x".repeat(3_000),
      ],
    ];
    for (const text of hostile) expect([text, refusalOf(text)]).not.toEqual([text, "accepted"]);
  });

  it("keeps test patterns inside their list and bounds", () => {
    for (
      const query of [
        "name=movie",
        "size=1x1",
        "size=99999x2",
        "size=4096x4096",
        "rate=0",
        "rate=1e9",
        "rate=-1",
        "x=1",
      ]
    ) {
      expect([query, refusalOf(`testsrc:?${query}`)]).not.toEqual([query, "accepted"]);
    }
    expect(refusalOf("testsrc:testsrc2=duration=1,movie=/etc/passwd")).not.toBe("accepted");
  });

  it("refuses addresses in every spelling", () => {
    const metadata = [
      "169.254.169.254",
      "0xa9fea9fe",
      "2852039166",
      "0251.0376.0251.0376",
      "[::ffff:169.254.169.254]",
    ];
    const more = [
      "[fe80::1]",
      "[ff02::1]",
      "224.0.0.1",
      "255.255.255.255",
      "[64:ff9b::a9fe:a9fe]",
      "[2002:a9fe:a9fe::1]",
    ];
    for (const scheme of ["http", "rtsp"]) {
      for (const host of [...metadata, ...more]) {
        expect([host, refusalOf(`${scheme}://${host}/x`)]).toEqual([
          host,
          expect.stringContaining("never allowed"),
        ]);
      }
      const local = [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "0",
        "localhost",
        "a.localhost",
        "[::1]",
        "[::]",
        "[::ffff:7f00:1]",
      ];
      for (const host of local) {
        expect([host, refusalOf(`${scheme}://${host}/x`, closed_policy)]).toEqual([
          host,
          expect.stringContaining("this machine"),
        ]);
        expect([host, refusalOf(`${scheme}://${host}/x`)]).toEqual([host, "accepted"]);
      }
      for (const host of ["10.1.2.3", "172.16.0.1", "192.168.1.9", "100.64.0.1", "[fd12::1]"]) {
        expect([host, refusalOf(`${scheme}://${host}/x`, closed_policy)]).toEqual([
          host,
          expect.stringContaining("private"),
        ]);
        expect([host, refusalOf(`${scheme}://${host}/x`)]).toEqual([host, "accepted"]);
      }
    }
  });

  it("says nothing of a password, whatever is wrong", () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9!$&*+_.~-]{6,16}$/);
    fc.assert(
      fc.property(
        secret,
        fc.constantFrom("http", "rtsp", "tcp", "ftp"),
        fc.constantFrom("169.254.1.1", "cam", "%%"),
        (word, scheme, host) => {
          expect(refusalOf(`${scheme}://eve:${word}@${host}/p?k=${word}`)).not.toContain(word);
        },
      ),
    );
  });
});

describe("redact", () => {
  it("takes user, password and query out of any text", () => {
    const text = "[rtsp @ 0x1] rtsp://eve:pa%40ss@cam:554/live?key=hush: 401\nAuthorization: Basic ZXZlOg==";
    expect(redact(text)).toBe("[rtsp @ 0x1] rtsp://***@cam:554/live?*** 401\nAuthorization: ***");
  });

  it("knows the secrets of its location in every spelling", () => {
    const redactor = redactorFor(parseSource("http://eve1:pa%40ss%20word@cam/x?token=hush", open_policy));
    for (const spelling of ["pa%40ss%20word", "pa@ss word", "token=hush", "eve1"]) {
      expect(redactor(`it says ${spelling}.`)).toBe("it says ***.");
    }
  });
});
