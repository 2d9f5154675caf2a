/**
 * Returns a function that builds a body once for each idempotency key. A retry must send the same body, although a relative
 * expiry would be another time then.
 */
export function sameBody<Body>(): (key: string, build: () => Body) => Body {
  let sent: { key: string; body: Body } | undefined;
  return (key, build) => {
    if (sent?.key !== key) sent = { key, body: build() };
    return sent.body;
  };
}
