// What these tests need of the machine, each as a reason why not. An empty reason means that it is there.

async function works(command: string, args: string[]): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(command, { args, stdout: "null", stderr: "null" }).output();
    return success;
  } catch {
    return false;
  }
}

/** The interpreter that sees distribution packages; another one first on PATH would not. */
export const system_python = "/usr/bin/python3";

const gst_check =
  "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer";

export const no_ffmpeg: string | undefined = await works("ffmpeg", ["-version"])
  ? undefined
  : "ffmpeg is missing";

export const no_rtsp_server: string | undefined = no_ffmpeg ??
  (await works(system_python, ["-c", gst_check])
    ? undefined
    : "gir1.2-gst-rtsp-server-1.0, python3-gi or gstreamer plugins are missing");

export const no_setpriv: string | undefined = no_ffmpeg ??
  (await works("setpriv", ["--pdeathsig", "KILL", "true"]) ? undefined : "setpriv of util-linux is missing");

export const no_openssl: string | undefined = no_ffmpeg ??
  (await works("openssl", ["version"]) ? undefined : "openssl is missing");
