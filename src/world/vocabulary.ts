// The sixty-four things of the world: what they are called, in which group, and what art packages call their pictures.
// Must not know scenes, pictures or words around the names. Avoided: pairs that differ by colour alone in some style.

export type Group = "animal" | "vehicle" | "food" | "thing";

export interface Thing {
  /** As it is spoken of. */
  name: string;
  group: Group;
  /** Names of its picture in icon sets, the first that a set has. */
  icons: readonly string[];
}

const plurals: Record<string, string> = {
  bus: "buses",
  fish: "fish",
  butterfly: "butterflies",
  ladybug: "ladybugs",
  fox: "foxes",
  octopus: "octopuses",
  strawberry: "strawberries",
  grapes: "grapes",
  sheep: "sheep",
  key: "keys",
  monkey: "monkeys",
  "birthday cake": "birthday cakes",
};

const special_icons: Record<string, readonly string[]> = {
  ladybug: ["lady-beetle", "ladybug"],
  bee: ["honeybee", "bee"],
  car: ["automobile", "car"],
  apple: ["red-apple", "apple"],
  coffee: ["hot-beverage", "coffee"],
  tree: ["deciduous-tree", "tree"],
  "fire truck": ["fire-engine"],
};

function group(kind: Group, names: string): Thing[] {
  return names.split(",").map((text) => {
    const name = text.trim();
    return { name, group: kind, icons: special_icons[name] ?? [name.replaceAll(" ", "-")] };
  });
}

export const things: readonly Thing[] = [
  ...group(
    "animal",
    "dog, cat, rabbit, bear, panda, pig, frog, lion, cow, monkey, penguin, elephant, snake, turtle, octopus, fish, " +
      "whale, crab, bee, ladybug, butterfly, owl, fox, unicorn",
  ),
  ...group(
    "vehicle",
    "car, bus, bicycle, airplane, rocket, sailboat, helicopter, tractor, fire truck, ambulance, taxi",
  ),
  ...group(
    "food",
    "apple, banana, grapes, watermelon, pizza, hamburger, cookie, doughnut, birthday cake, strawberry, carrot, " +
      "pineapple, coffee",
  ),
  ...group(
    "thing",
    "soccer ball, basketball, key, balloon, umbrella, guitar, camera, television, hammer, crown, house, tree, " +
      "sunflower, snowman, ghost, alien",
  ),
];

const by_name = new Map(things.map((thing) => [thing.name, thing]));

export function thingNamed(name: string): Thing | undefined {
  return by_name.get(name);
}

export function pluralOf(name: string): string {
  return plurals[name] ?? `${name}s`;
}

/** "a dog", "an owl", "grapes". */
export function withArticle(name: string): string {
  if (name === "grapes") return name;
  if (name === "unicorn") return `a ${name}`;
  return /^[aeiou]/.test(name) ? `an ${name}` : `a ${name}`;
}
