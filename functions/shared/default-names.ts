/** Generates default names in the API's format: `mnq-<adjective>-<noun>`. */

const ADJECTIVES =
  'amber brave bright calm clever cosmic eager fair gentle golden honest humble jolly keen kind lively lucid mellow nimble noble patient quick quiet ready serene sharp steady sunny swift tidy vivid witty'.split(
    ' ',
  );
const NOUNS =
  'badger beaver cedar comet condor coral crane delta ember falcon fern glade harbor heron ibis juniper kestrel lagoon lark maple meadow otter pebble pine quartz raven reef river sparrow summit tiger willow'.split(
    ' ',
  );

/** Returns a random name. Names are not unique. */
export function generateName(): string {
  // Both lists have 32 words, so all are equally likely.
  const [a = 0, b = 0] = crypto.getRandomValues(new Uint8Array(2));
  return `mnq-${ADJECTIVES[a % ADJECTIVES.length]}-${NOUNS[b % NOUNS.length]}`;
}
