// Headers every answer carries: what a browser may do with pages of this server. Must not know routes.

/**
 * `host` has passed the guard. It is named for sockets because not every browser counts ws: under 'self'.
 * blob: and data: are pictures made in the page; nothing else comes from outside, so the server works offline.
 */
export function securityHeaders(host: string | undefined): Record<string, string> {
  const sockets = host ? ` ws://${host} wss://${host}` : "";
  return {
    "content-security-policy": [
      "default-src 'self'",
      "img-src 'self' blob: data:",
      "media-src 'self' blob:",
      "worker-src 'self' blob:",
      `connect-src 'self'${sockets}`,
      "object-src 'none'",
      "base-uri 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
    ].join("; "),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(self), microphone=(self), display-capture=(self), geolocation=()",
    // Other sites' pages may not even embed a picture or a caption file.
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
  };
}
