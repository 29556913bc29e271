// This browser's camera as a stream: permission, sending, switching, stopping. One camera at a time. The only file
// of this folder that knows the signals of the page.
import { signal } from "@preact/signals";
import type { PushFormat } from "../../src/wire/mod.ts";
import { api, socketUrl } from "../api.ts";
import { go, streams } from "../edge.ts";
import { errorText } from "../toasts.ts";
import { type CameraProblem, cameraProblem, insecureProblem } from "./camera_words.ts";
import { startH264Sender } from "./h264_sender.ts";
import { startJpegSender } from "./jpeg_sender.ts";
import { type LinkState, PublishLink } from "./publish_link.ts";
import { type Sender, supportedFormats } from "./sender.ts";
import { startWebmSender } from "./webm_sender.ts";

export interface SendingCamera {
  stream: string;
  name: string;
  link: LinkState;
  sent_count: number;
  dropped_count: number;
  rate_hz: number;
}

export const camera_format = signal<PushFormat>("jpeg");
export const camera_formats = signal<readonly PushFormat[]>(["jpeg"]);
export const camera_devices = signal<readonly MediaDeviceInfo[]>([]);
export const camera_device = signal<string | undefined>(undefined);
export const camera_asking = signal(false);
export const camera_problem = signal<CameraProblem | undefined>(undefined);
export const sending = signal<SendingCamera | undefined>(undefined);

let media: MediaStream | undefined;
let link: PublishLink | undefined;
let sender: Sender | undefined;
let counter: ReturnType<typeof setInterval> | undefined;

void supportedFormats().then((formats) => camera_formats.value = formats);

/** Asks for the camera and sends it: to the given push stream, or to a new one. */
export async function useCamera(stream?: { id: string; name: string }): Promise<void> {
  if (camera_asking.value) return;
  camera_asking.value = true;
  camera_problem.value = undefined;
  try {
    const opened = await openMedia();
    if (!opened) return;
    stopCamera();
    media = opened;
    const target = stream ?? await api.addStream({ name: cameraName(opened), source: { kind: "push" } });
    await startSending(target);
    go({ stream: target.id, at: undefined });
  } catch (error) {
    stopCamera();
    camera_problem.value = { title: "The camera stream was not added", advice: errorText(error) };
  } finally {
    camera_asking.value = false;
  }
}

async function openMedia(): Promise<MediaStream | undefined> {
  if (!isSecureContext || !navigator.mediaDevices) {
    camera_problem.value = insecureProblem(location.origin);
    return undefined;
  }
  const video: MediaTrackConstraints = { width: { ideal: 1280 }, height: { ideal: 720 } };
  if (camera_device.value) video.deviceId = { exact: camera_device.value };
  try {
    const opened = await navigator.mediaDevices.getUserMedia({ video, audio: false });
    // Names of cameras are shown only after permission.
    const devices = await navigator.mediaDevices.enumerateDevices();
    camera_devices.value = devices.filter((device) => device.kind === "videoinput" && device.deviceId !== "");
    camera_device.value = opened.getVideoTracks()[0]?.getSettings().deviceId;
    return opened;
  } catch (error) {
    const { name, message } = error as DOMException;
    if (name === "OverconstrainedError") camera_device.value = undefined;
    camera_problem.value = cameraProblem(name, message);
    return undefined;
  }
}

function cameraName(opened: MediaStream): string {
  const label = opened.getVideoTracks()[0]?.label.replace(/\s*\([0-9a-f:]+\)$/i, "") ?? "";
  const base = (label || "Camera").slice(0, 100);
  const taken = new Set((streams.value ?? []).map((stream) => stream.name));
  if (!taken.has(base)) return base;
  for (let count = 2;; count++) if (!taken.has(`${base} ${count}`)) return `${base} ${count}`;
}

async function startSending(target: { id: string; name: string }): Promise<void> {
  const current = new PublishLink({
    open: () => new WebSocket(socketUrl(`/ws/publish?stream=${encodeURIComponent(target.id)}`)),
    format: camera_format.value,
    onState(state) {
      if (sending.value) sending.value = { ...sending.value, link: state };
      if (state.kind === "refused") failSending(state.reason);
    },
    onReady: () => sender?.restart(),
    onCredit: () => sender?.credit(),
  });
  link = current;
  sending.value = {
    stream: target.id,
    name: target.name,
    link: { kind: "connecting" },
    sent_count: 0,
    dropped_count: 0,
    rate_hz: 0,
  };
  media!.getVideoTracks()[0].onended = () => failSending("The camera was disconnected or taken away.");
  sender = await startSender(media!, current);
  current.connect();
  counter = setInterval(() => count(current), 1000);
}

function startSender(opened: MediaStream, current: PublishLink): Sender | Promise<Sender> {
  if (camera_format.value === "h264") return startH264Sender(opened, current, failSending);
  if (camera_format.value === "webm") return startWebmSender(opened, current);
  return startJpegSender(opened, current);
}

function count({ gate }: PublishLink): void {
  if (!sending.value) return;
  const rate_hz = gate.sent_count - sending.value.sent_count;
  sending.value = {
    ...sending.value,
    sent_count: gate.sent_count,
    dropped_count: gate.dropped_count,
    rate_hz,
  };
}

function failSending(reason: string): void {
  stopCamera();
  camera_problem.value = { title: "The camera stopped sending", advice: reason };
}

/** Another camera or format, same stream: the memory goes on. */
export async function restartCamera(): Promise<void> {
  const target = sending.value;
  if (target) await useCamera({ id: target.stream, name: target.name });
}

export function stopCamera(): void {
  clearInterval(counter);
  sender?.stop();
  link?.stop();
  media?.getTracks().forEach((track) => track.stop());
  sender = link = media = undefined;
  sending.value = undefined;
}
