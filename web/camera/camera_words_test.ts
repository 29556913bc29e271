import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { cameraProblem, insecureProblem } from "./camera_words.ts";
import { fitPicture } from "./frame_canvas.ts";

describe("cameraProblem", () => {
  it("says what to do for every error a browser gives", () => {
    expect(cameraProblem("NotAllowedError", "").title).toBe("The camera was not allowed");
    expect(cameraProblem("NotFoundError", "").title).toBe("No camera was found");
    expect(cameraProblem("NotReadableError", "").advice).toContain("Another program");
    expect(cameraProblem("SomethingNew", "lens cap").advice).toBe("lens cap");
    expect(insecureProblem("http://10.0.0.5").advice).toContain("http://10.0.0.5");
  });
});

describe("fitPicture", () => {
  it("is at most 640 wide, keeps the shape, has even sides", () => {
    expect(fitPicture(1280, 720)).toEqual({ width_px: 640, height_px: 360 });
    expect(fitPicture(1920, 1079)).toEqual({ width_px: 640, height_px: 360 });
    expect(fitPicture(321, 241)).toEqual({ width_px: 322, height_px: 242 });
  });
});
