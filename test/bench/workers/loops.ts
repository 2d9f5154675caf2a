/**
 * A Worker that runs a piece of code as often as requested: `?of=<name>&times=<n>`, and returns the number of runs.
 * It reads no clock, because time in a Worker stands still between I/O events: the caller measures (time-loops.ts).
 */

/** Pieces of code by name. */
export type Pieces = Record<string, () => Promise<unknown>>;

/** The Worker for these pieces. They are created once for each set of other parameters, and cached. */
export function serveLoops(make: (parameters: URLSearchParams) => Promise<Pieces>) {
  const made = new Map<string, Pieces>();
  return {
    async fetch(request: Request): Promise<Response> {
      const { searchParams } = new URL(request.url);
      const of = searchParams.get('of') ?? '';
      const times = Number(searchParams.get('times'));
      searchParams.delete('of');
      searchParams.delete('times');
      const name = searchParams.toString();
      const pieces = made.get(name) ?? (await make(searchParams));
      made.set(name, pieces);
      const piece = pieces[of];
      if (!piece) return new Response(`There is no ${of}`, { status: 404 });
      for (let done = 0; done < times; done++) await piece();
      return new Response(String(times));
    },
  };
}
