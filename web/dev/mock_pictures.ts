// Moving pictures for the stand-in server, from ffmpeg's test pattern.

/** JPEGs to be shown in turn; none without ffmpeg. */
export async function testPictures(pattern = "testsrc2=size=960x540:rate=5"): Promise<Uint8Array[]> {
  const args = ["-v", "error", "-f", "lavfi", "-i", pattern, "-t", "8", "-q:v", "5", "-f", "mjpeg", "pipe:1"];
  const output = await new Deno.Command("ffmpeg", { args }).output().catch(() => undefined);
  const bytes = output?.stdout ?? new Uint8Array();
  const pictures: Uint8Array[] = [];
  for (let start = 0, i = 2; i <= bytes.length; i++) {
    const jpeg_begins = bytes[i] === 0xff && bytes[i + 1] === 0xd8;
    if (i < bytes.length && !jpeg_begins) continue;
    pictures.push(bytes.slice(start, i));
    start = i;
  }
  return pictures;
}
