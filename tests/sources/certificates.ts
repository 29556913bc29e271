// Certificates for the servers of these tests, made by openssl.
import type { Clips } from "./clips.ts";

async function openssl(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args, stdout: "null" }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** A certificate for cam.example and 127.0.0.1, signed by an authority in ca.pem. */
export async function signed(clips: Clips): Promise<{ cert: string; key: string; authority: string }> {
  const [authority, ca_key, cert, key, request, names] = [
    "ca.pem",
    "ca.key",
    "s.pem",
    "s.key",
    "s.csr",
    "s.ext",
  ]
    .map((name) => clips.path(name));
  const fresh = ["-nodes", "-newkey", "rsa:2048"];
  await openssl(
    "req",
    "-x509",
    ...fresh,
    "-days",
    "2",
    "-subj",
    "/CN=Lab",
    "-keyout",
    ca_key,
    "-out",
    authority,
  );
  await openssl("req", ...fresh, "-subj", "/CN=cam.example", "-keyout", key, "-out", request);
  await Deno.writeTextFile(names, "subjectAltName=DNS:cam.example,IP:127.0.0.1\n");
  const signing = ["-CA", authority, "-CAkey", ca_key, "-CAcreateserial", "-days", "2", "-extfile", names];
  await openssl("x509", "-req", "-in", request, ...signing, "-out", cert);
  return { cert: await Deno.readTextFile(cert), key: await Deno.readTextFile(key), authority };
}

/** A certificate for this machine that nobody signed. */
export async function selfSigned(clips: Clips): Promise<{ cert: string; key: string }> {
  const cert = clips.path("cert.pem"), key = clips.path("key.pem");
  const subject = ["-subj", "/CN=localhost", "-days", "2", "-nodes", "-newkey", "rsa:2048"];
  await openssl("req", "-x509", ...subject, "-keyout", key, "-out", cert);
  return { cert: await Deno.readTextFile(cert), key: await Deno.readTextFile(key) };
}
