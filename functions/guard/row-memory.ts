/** Keeps a database row in memory and never returns one that is older than an announced change. */

/** Reads that changes can overtake before {@link RowMemory.current} gives up. */
const MAX_READS = 3;

/** The row changed during every read. */
export class NeverSettled extends Error {}

/** How a memory reads its row, and for how long it can use one. */
export interface RowSource<Row> {
  /** Reads the row from the primary database. */
  read(): Promise<Row>;
  /** The time in milliseconds since the epoch. */
  now(): number;
  /** Returns how long a row can be used, in milliseconds from the start of its read. Bounds the effect of a lost change. */
  lease(): number;
}

/** The memory of one row. */
export class RowMemory<Row> {
  readonly #source: RowSource<Row>;
  /** Increases with each change. A read that began in an earlier epoch can have missed the change. */
  #epoch = 0;
  #kept: { row: Row; until: number } | undefined;
  /** The read under way in this epoch. */
  #reading: Promise<{ row: Row; until: number }> | undefined;

  constructor(source: RowSource<Row>) {
    this.#source = source;
  }

  /**
   * Returns the row, from memory if it is still valid. Concurrent callers share a read. Rejects with
   * {@link NeverSettled} or with the error of the read.
   */
  async current(): Promise<Row> {
    for (let reads = 0; ; reads++) {
      if (this.#kept && this.#source.now() < this.#kept.until) return this.#kept.row;
      if (reads === MAX_READS) throw new NeverSettled();
      const epoch = this.#epoch;
      const read = await (this.#reading ?? this.#read());
      if (epoch === this.#epoch && this.#source.now() < read.until) return read.row;
    }
  }

  /** Forgets the row and every read under way. Call it after each change, before reporting that the change is in force. */
  changed(): void {
    this.#epoch++;
    this.#kept = undefined;
    this.#reading = undefined;
  }

  #read(): Promise<{ row: Row; until: number }> {
    const until = this.#source.now() + this.#source.lease();
    const reading = this.#source.read().then((row) => ({ row, until }));
    this.#reading = reading;
    const end = (read?: { row: Row; until: number }) => {
      // A change has made it out of date.
      if (this.#reading !== reading) return;
      this.#kept = read;
      this.#reading = undefined;
    };
    reading.then(end, () => end());
    return reading;
  }
}
