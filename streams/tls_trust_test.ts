import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { untrustedReason } from "./tls_trust.ts";

describe("untrustedReason", () => {
  it("knows a bad certificate from a bad connection", () => {
    const said = {
      "invalid peer certificate: UnknownIssuer": "self-signed, or signed by nobody that this machine trusts",
      "invalid peer certificate: CaUsedAsEndEntity":
        "self-signed, or signed by nobody that this machine trusts",
      'invalid peer certificate: certificate not valid for name "b"; certificate is only valid for DnsName("a")':
        "it is for another name",
      "invalid peer certificate: NotValidForName": "it is for another name",
      "invalid peer certificate: certificate expired: verification time 1, but certificate is not valid after 0":
        "it has expired",
      "invalid peer certificate: BadSignature": "it is not valid",
    };
    for (const [message, flaw] of Object.entries(said)) {
      expect(untrustedReason(new Error(message))).toBe(`its certificate is not trusted (${flaw})`);
    }
    for (const message of ["connection refused", "received corrupt message of type InvalidContentType"]) {
      expect(untrustedReason(new Error(message))).toBeUndefined();
    }
    expect(untrustedReason(Object.assign(new Error("x"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" })))
      .toBeDefined();
  });
});
