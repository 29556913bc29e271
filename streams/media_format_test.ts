import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { mediaFormat, unknownFormatReason } from "./media_format.ts";

const bytes = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

function transportStream(offset: number): Uint8Array {
  const stream = new Uint8Array(1_000);
  for (let at = offset; at < stream.length; at += 188) stream[at] = 0x47;
  return stream;
}

describe("mediaFormat", () => {
  it("believes the bytes and not the name", () => {
    const heads: [Uint8Array, string | undefined][] = [
      [bytes("\0\0\0\x20ftypisom"), "mov"],
      [bytes("\x1a\x45\xdf\xa3...."), "matroska"],
      [bytes("RIFF....AVI LIST"), "avi"],
      [bytes("RIFF....WAVEfmt "), undefined],
      [bytes("FLV\x01"), "flv"],
      [bytes("OggS"), "ogg"],
      [bytes("\xff\xd8\xff\xe0"), "mjpeg"],
      [transportStream(0), "mpegts"],
      [transportStream(101), "mpegts"],
      [bytes("#EXTM3U\n"), "hls"],
      [bytes("\xef\xbb\xbf#EXTM3U\n"), "hls"],
      [bytes("\r\n--cam\r\nContent-Type: image/jpeg\r\n"), "mpjpeg"],
      [bytes("<html>"), undefined],
      [bytes("ffconcat version 1.0\nfile /etc/passwd"), undefined],
      [new Uint8Array(0), undefined],
    ];
    for (const [head, format] of heads) expect(mediaFormat(head)).toBe(format);
    expect(mediaFormat(bytes("--b\r\n"), "multipart/x-mixed-replace;boundary=b")).toBe("mpjpeg");
    expect(mediaFormat(bytes("<html>"), "video/mp4")).toBeUndefined();
  });

  it("says what it is instead", () => {
    expect(unknownFormatReason(bytes("<!DOCTYPE html>"))).toContain("web page");
    expect(unknownFormatReason(bytes("<?xml?><MPD>"))).toContain("DASH");
    expect(unknownFormatReason(new Uint8Array(0))).toContain("empty");
    expect(unknownFormatReason(bytes("MZ"))).toContain("not a video format");
  });
});
