import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { classifyAddress, resolveAllowed, verifiesTls } from "./address_policy.ts";

const policy = { allow_files: false, allow_loopback: false, allow_private: true };

describe("classifyAddress", () => {
  it("sorts addresses, and tells names from them", () => {
    const expected = {
      ...{
        "8.8.8.8": "public",
        "2001:4860::8888": "public",
        "172.32.0.1": "public",
        "100.128.0.1": "public",
      },
      ...{ "172.31.255.255": "private", "fd00::1": "private", "198.18.0.1": "private" },
      ...{ "127.255.0.1": "loopback", "0.0.0.0": "loopback", "::1": "loopback", "::": "loopback" },
      ...{
        "169.254.0.1": "forbidden",
        "240.0.0.1": "forbidden",
        "fe80::1%eth0": "forbidden",
        "fd00:ec2::254": "forbidden",
      },
      ...{ "cam.example": undefined, "256.1.1.1": undefined },
    };
    for (const [address, sort] of Object.entries(expected)) {
      expect([address, classifyAddress(address)]).toEqual([address, sort]);
    }
  });
});

describe("verifiesTls", () => {
  it("wants a trusted certificate of public servers; cameras at home have none", () => {
    const of = (verify_tls?: "public" | "always" | "never") =>
      ["8.8.8.8", "2001:4860::8888", "10.0.0.9", "fd00::1", "127.0.0.1"].map((address) =>
        verifiesTls(address, { ...policy, verify_tls })
      );
    expect(of()).toEqual([true, true, false, false, false]);
    expect(of("public")).toEqual(of());
    expect(of("always")).toEqual(Array(5).fill(true));
    expect(of("never")).toEqual(Array(5).fill(false));
  });
});

describe("resolveAllowed", () => {
  it("wants every address of a name to pass", async () => {
    const to = (...addresses: string[]) => resolveAllowed("cam", policy, () => Promise.resolve(addresses));
    expect(await to("2001:db8::1", "10.0.0.9")).toEqual({ address: "10.0.0.9" });
    expect(await to("10.0.0.9", "169.254.169.254")).toMatchObject({
      refused: expect.stringContaining("metadata"),
    });
    expect(await to("10.0.0.9", "::1")).toMatchObject({ refused: expect.any(String) });
    expect(await to()).toEqual({ failed: "the name has no address" });
    expect(await resolveAllowed("cam", policy, () => Promise.reject(new Error("x")))).toMatchObject({
      failed: expect.any(String),
    });
  });

  it("does not ask a resolver about a literal", async () => {
    const never = () => Promise.reject(new Error("asked"));
    expect(await resolveAllowed("[2001:db8::1]", policy, never)).toEqual({ address: "2001:db8::1" });
  });
});
