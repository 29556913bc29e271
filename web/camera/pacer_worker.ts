// A clock that keeps its pace while the page is hidden: timers of a hidden page fire once a second or less,
// those of a worker do not. Told a period in milliseconds, answers with a beat every period; 0 stops it.

let timer: ReturnType<typeof setInterval> | undefined;

globalThis.addEventListener("message", (event: MessageEvent<number>) => {
  clearInterval(timer);
  if (event.data > 0) timer = setInterval(() => globalThis.postMessage(0), event.data);
});
