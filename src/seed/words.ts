// The words the built-in vocabulary knows: what is in pictures and what it does there. Only a list.
// A change here changes every token id behind it: raise `seed_revision` in seed_bundle.ts.

const animals =
  `animal ant bear bee bird butterfly cat chicken cow crab deer dog dolphin donkey duck eagle elephant
fish fox frog goat goose horse kitten lion monkey mouse octopus owl panda penguin pig pigeon puppy rabbit rooster
seal shark sheep snail snake spider squirrel swan tiger turtle whale wolf zebra`;

const people =
  `adult baby boy child children cook crowd dancer doctor driver face family farmer friend girl group hand
head hair man men people person player police rider singer teacher team worker woman women arm back eye foot leg
mouth shoulder smile`;

const things =
  `bag ball balloon bed bell bench bike boat book bottle bowl box bridge broom bucket camera candle car
chair clock cup curtain desk door drum fence flag flower fork glass glove guitar hammer hat helmet jacket kettle key
kite knife ladder lamp lantern leaf letter light map mirror paper pen phone piano pillow plane plate pot rope rug
sail scarf screen shelf ship shirt shoe sign sofa spoon stick stone table tent towel toy train tree truck umbrella
vase wall wheel window wire`;

const food =
  `apple banana bread cake carrot cheese coffee cookie corn egg grape juice lemon meat milk onion orange pear
pepper pizza potato rice salad soup strawberry sugar tea tomato water`;

const places =
  `airport beach building bus city cloud corner field fire floor forest garden grass ground hill hole house
ice island kitchen lake market moon mountain ocean office park path pond rain river road roof room sand school sea
shadow shop sky smoke snow square stage star station stairs street sun tower town tunnel valley village wave wind
yard`;

const looks =
  `big black blue bright broken brown clean closed cold dark dry empty fast flat full gold gray green heavy
high hot huge large light long loud low new old open pink purple quiet red round sharp short silver slow small
soft striped tall thin tiny warm wet white wide wooden yellow young`;

const deeds =
  `appears arrives blinks breaks bends blows burns carries catches changes climbs closes comes cooks crosses
dances drinks drives drops eats enters falls floats flies follows gives goes grows hangs hides holds jumps kicks
leaves lies lifts looks moves opens paints passes picks plays points pours pulls pushes reads rests rides rises
rolls runs rushes sails shakes shines sings sits sleeps slides spins splashes stands starts stays stops swims swings
takes talks throws touches turns waits walks washes watches waves works writes`;

const small =
  `a about above across after again along an and another around as at away back before behind below beside
between both by down each far few first for from front her here his in inside into is it its last left like many
more most moving near nearly next no none not now of off on one only or other out outside over past right same
second several side slowly some still suddenly ten the their them then there these they this three through to
together top toward towards two under until up very while with without`;

/** In a fixed order, without repeats. */
export const words: readonly string[] = [
  ...new Set([small, looks, deeds, animals, people, things, food, places].join(" ").split(/\s+/)),
];
