import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { RtspResponses } from "./rtsp_messages.ts";

const latin = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const packet = (body: string) => `$\0\0${String.fromCharCode(body.length)}${body}`;
const describe_ok = "RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: 24\r\n\r\nRTSP/1.0 302 not a head.";
const moved = "RTSP/1.0 302 Moved\r\nLocation: rtsp://10.0.0.1/\r\n\r\n";

function feed(text: string, cut: number) {
  const responses = new RtspResponses();
  let forwarded = "";
  const statuses: number[] = [];
  for (let at = 0; at < text.length; at += cut) {
    const seam = responses.push(latin(text.slice(at, at + cut)));
    statuses.push(...seam.statuses);
    for (const part of seam.forward) forwarded += String.fromCharCode(...part);
    if (statuses.includes(302)) break;
  }
  return { forwarded, statuses };
}

describe("RtspResponses", () => {
  it("passes responses, bodies and packets, however they are cut", () => {
    const text =
      `RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\n\r\n${describe_ok}${packet("RTSP/1.0 302 ")}\x80\x01${
        packet("$$")
      }` +
      "RTSP/1.0 200 OK\r\n\r\n";
    fc.assert(fc.property(fc.integer({ min: 1, max: text.length }), (cut) => {
      expect(feed(text, cut)).toEqual({ forwarded: text, statuses: [401, 200, 200] });
    }));
  });

  it("stops in front of a redirect", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 60 }), (cut) => {
      expect(feed(`${describe_ok}${packet("abc")}${moved}`, cut)).toEqual({
        forwarded: `${describe_ok}${packet("abc")}`,
        statuses: [200, 302],
      });
    }));
  });
});
