// Pictures on /ws/watch: a binary message of kind, stream id, media time and a whole JPEG. Pure; browser and server.

const kind_picture = 1;

export interface Picture {
  stream: string;
  t_media_ms: number;
  jpeg: Uint8Array;
}

/** Layout: u8 kind, u8 id length, id (ASCII), f64 little-endian media time, JPEG. */
export function encodePicture(picture: Picture): Uint8Array<ArrayBuffer> {
  const id = new TextEncoder().encode(picture.stream);
  const message = new Uint8Array(10 + id.length + picture.jpeg.length);
  message[0] = kind_picture;
  message[1] = id.length;
  message.set(id, 2);
  new DataView(message.buffer).setFloat64(2 + id.length, picture.t_media_ms, true);
  message.set(picture.jpeg, 10 + id.length);
  return message;
}

/** undefined when it is not a picture message. */
export function parsePicture(message: Uint8Array): Picture | undefined {
  const id_bytes = message[1] ?? 0;
  if (message[0] !== kind_picture || message.length < 10 + id_bytes) return undefined;
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  return {
    stream: new TextDecoder().decode(message.subarray(2, 2 + id_bytes)),
    t_media_ms: view.getFloat64(2 + id_bytes, true),
    jpeg: message.subarray(10 + id_bytes),
  };
}
