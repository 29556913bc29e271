// From what was found in a file to the version of VisualRWKV that it is. Where tensors cannot tell, it says what it
// assumed and how to say otherwise. Must not know files or bundles.
import type { Generation } from "./language_sizes.ts";
import type { ProjectorKind } from "./tower_port.ts";
import {
  findVersion,
  plain_version,
  type Scan,
  type TowerSet,
  type Version,
  version_names,
  versionInFileName,
  versions,
} from "./versions.ts";

export interface Evidence {
  generation: Generation;
  towers: TowerSet;
  /** Undefined: the file has none. */
  projector: ProjectorKind | undefined;
  compressor: boolean;
  file_names: readonly string[];
  /** What --version says. */
  wanted: string | undefined;
  /** What --scan says. */
  scan: Scan | undefined;
}

export interface Choice {
  version: Version;
  /** A sentence where something else is possible. */
  assumed: string | undefined;
}

/** Half a sentence when no version fits, or not the one asked for. */
export function chooseVersion(evidence: Evidence): Choice | string {
  const choice = choose(evidence);
  return typeof choice === "string" || evidence.scan === undefined ? choice : rescan(choice, evidence.scan);
}

function choose(evidence: Evidence): Choice | string {
  const fitting = versions.filter((version) => differences(version, evidence).length === 0);
  if (evidence.wanted !== undefined) return takeWanted(evidence.wanted, evidence);
  if (evidence.projector === undefined) {
    const problems = differences(plain_version, evidence);
    return problems.length === 0 ? { version: plain_version, assumed: undefined } : problems.join("; ");
  }
  if (fitting.length === 0) return noneFits(evidence);
  if (fitting.length === 1) return { version: fitting[0]!, assumed: undefined };
  const named = evidence.file_names.map(versionInFileName).find((version) =>
    version !== undefined && fitting.includes(version)
  );
  const version = named ?? fitting[0]!;
  const others = fitting.filter((other) => other !== version).map(({ name }) => name);
  const why = named ? "as the file's name says" : "the first that fits";
  return {
    version,
    assumed: `Its tensors fit ${others.join(", ")} as well; taken as ${version.name}, ${why}. ` +
      "--version says otherwise.",
  };
}

function takeWanted(wanted: string, evidence: Evidence): Choice | string {
  const version = findVersion(wanted);
  if (version === undefined) {
    return `there is no version "${wanted}"; known are ${version_names.join(", ")}`;
  }
  const problems = differences(version, evidence);
  if (problems.length > 0) return `it is not ${version.name}: ${problems.join("; ")}`;
  return { version, assumed: undefined };
}

/** v5.1 is v5.0 with another scan; tensors cannot tell. */
function rescan({ version, assumed }: Choice, scan: Scan): Choice | string {
  if (version.tiling !== undefined) {
    return `--scan is not possible: the tiles of ${version.name} are read row by row`;
  }
  if (scan === "row_major" || version.class_vector !== "first") {
    return { version: { ...version, scan }, assumed };
  }
  const placed = "With --scan the class vector stands behind the patches, as in v6.0.";
  return {
    version: { ...version, scan, class_vector: "last" },
    assumed: assumed === undefined ? placed : `${assumed} ${placed}`,
  };
}

function noneFits({ generation, towers, projector, compressor }: Evidence): string {
  const parts = [`RWKV-${generation}`, tower_titles[towers]];
  parts.push(projector === undefined ? "no projector" : `a projector of the kind ${projector}`);
  if (compressor) parts.push("a token compressor");
  return `no known VisualRWKV version has ${parts.join(" with ")}; --version plain takes a linear or gated ` +
    "projector as it is (pictures first, left to right)";
}

const tower_titles: Record<TowerSet, string> = {
  clip: "CLIP",
  siglip_hf: "SigLIP",
  three: "DINOv2, SigLIP and SAM",
};

function differences(version: Version, evidence: Evidence): string[] {
  const problems: string[] = [];
  const { generation, towers, projector, compressor } = evidence;
  if (!version.generations.includes(generation)) {
    problems.push(
      `it is made with RWKV-${version.generations.join(" or ")}, the file has RWKV-${generation}`,
    );
  }
  if (!version.towers.includes(towers)) {
    problems.push(
      `it sees through ${version.towers.map((set) => tower_titles[set]).join(" or ")}, ` +
        `the file has ${tower_titles[towers]}`,
    );
  }
  if (projector === undefined ? version !== plain_version : !version.projectors.includes(projector)) {
    problems.push(
      `its projector is ${version.projectors.join(" or ")}, the file has ${projector ?? "none"}`,
    );
  }
  if (version.compressor !== compressor) {
    problems.push(
      compressor ? "it has no token compressor, the file has one" : "its token compressor (vtc.*) is missing",
    );
  }
  return problems;
}
