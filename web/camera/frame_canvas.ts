// The newest camera picture, scaled for sending. Knows no socket and no codec.

export const send_width_px = 640;

export interface FrameCanvas {
  /** Draws the newest picture; false while the camera has none yet. */
  draw(): boolean;
  readonly canvas: HTMLCanvasElement;
  close(): void;
}

/** At most 640 wide, even sides (H.264 wants them), the camera's own shape. */
export function fitPicture(width_px: number, height_px: number): { width_px: number; height_px: number } {
  const scale = Math.min(1, send_width_px / width_px);
  const even = (side_px: number) => Math.max(2, Math.round(side_px * scale / 2) * 2);
  return { width_px: even(width_px), height_px: even(height_px) };
}

export async function openFrameCanvas(media: MediaStream): Promise<FrameCanvas> {
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  video.srcObject = media;
  await video.play();
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { alpha: false });
  return {
    canvas,
    draw() {
      if (!context || video.readyState < 2 || video.videoWidth === 0) return false;
      const { width_px, height_px } = fitPicture(video.videoWidth, video.videoHeight);
      if (canvas.width !== width_px) canvas.width = width_px;
      if (canvas.height !== height_px) canvas.height = height_px;
      context.drawImage(video, 0, 0, width_px, height_px);
      return true;
    },
    close() {
      video.srcObject = null;
    },
  };
}
