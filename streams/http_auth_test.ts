import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { authorization } from "./http_auth.ts";

const request = {
  ...{
    user: "Mufasa",
    password: "Circle Of Life",
    method: "GET",
    uri: "/dir/index.html",
    client_nonce: "0a4f113b",
  },
};

describe("authorization", () => {
  it("answers Digest as the example of RFC 2617, section 3.5", () => {
    const challenge = 'Digest realm="testrealm@host.com", qop="auth,auth-int", ' +
      'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"';
    const answer = authorization(challenge, request)!;
    expect(answer).toContain('response="6629fae49393a05397450978507c4ef1"');
    expect(answer).toContain('opaque="5ccc069c403ebaf9f0171e9517f40e41"');
  });

  it("answers Basic, and nothing it does not know", () => {
    expect(authorization('Basic realm="x"', request)).toBe(`Basic ${btoa("Mufasa:Circle Of Life")}`);
    expect(authorization("Negotiate", request)).toBeUndefined();
    expect(authorization('Digest realm="x", nonce="y", algorithm=SHA-512-256', request)).toBeUndefined();
  });
});
