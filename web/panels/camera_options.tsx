// Which camera, and in which form its pictures travel. Takes effect at once when a camera is sending.
import type { PushFormat } from "../../src/wire/mod.ts";
import {
  camera_device,
  camera_devices,
  camera_format,
  camera_formats,
  restartCamera,
} from "../camera/camera.ts";
import { format_names } from "../camera/sender.ts";

export function CameraOptions() {
  return (
    <div class="camera-options">
      {camera_devices.value.length > 0 && (
        <label>
          <span>Camera</span>
          <select
            value={camera_device.value}
            onChange={(event) => {
              camera_device.value = event.currentTarget.value;
              void restartCamera();
            }}
          >
            {camera_devices.value.map((device) => (
              <option key={device.deviceId} value={device.deviceId}>{device.label || "Camera"}</option>
            ))}
          </select>
        </label>
      )}
      <label>
        <span>Send as</span>
        <select
          value={camera_format.value}
          onChange={(event) => {
            camera_format.value = event.currentTarget.value as PushFormat;
            void restartCamera();
          }}
        >
          {camera_formats.value.map((format) => (
            <option key={format} value={format}>{format_names[format]}</option>
          ))}
        </select>
      </label>
    </div>
  );
}
