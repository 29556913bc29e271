// Why a camera cannot be used, in words that say what to do. Pure.

export interface CameraProblem {
  title: string;
  advice: string;
}

/** Browsers hide the camera on plain http, except from localhost. */
export function insecureProblem(origin: string): CameraProblem {
  return {
    title: "This page may not use the camera",
    advice: `Browsers allow cameras only on https:// and on localhost; this page came from ${origin}. ` +
      "Put the server behind https, or reach it through a tunnel to localhost.",
  };
}

/** By the name of the error that getUserMedia gave. */
export function cameraProblem(error_name: string, detail: string): CameraProblem {
  switch (error_name) {
    case "NotAllowedError":
    case "SecurityError":
      return {
        title: "The camera was not allowed",
        advice: "Allow it in the browser: the camera or lock sign beside the address. Then try again.",
      };
    case "NotFoundError":
      return { title: "No camera was found", advice: "Connect one, then try again." };
    case "NotReadableError":
    case "AbortError":
      return {
        title: "The camera did not start",
        advice: "Another program may be using it. Close that program, then try again.",
      };
    case "OverconstrainedError":
      return { title: "The chosen camera is gone", advice: "Choose another one." };
    default:
      return { title: "The camera did not start", advice: detail || "The browser gave no reason." };
  }
}
