/** What an area of the benchmark is: it measures on what the run shares, and returns figures, each beside its baseline. */
import type { Stack } from '../stack/stack.ts';

/** What areas share in a run. */
export interface Bench {
  /** How many rounds are measured; every round measures every candidate. */
  rounds: number;
  /** The local stack, started when it is first asked for. The Owner's project has Queues, in every region. */
  stack(): Promise<Stack>;
  /** The folder of its state, absolute. */
  state: string;
}

/** Measured values, one for each round. */
export interface Figure {
  /** What was measured: `SendMessage, 16 connections`. */
  measure: string;
  /** What the values are in: `/s`, `ms`, `µs`, `bytes`. */
  unit: string;
  values: readonly number[];
  /** What they are compared with: measured in the same rounds, or one value that holds for all. */
  baseline?: { of: string; values: readonly number[]; latency?: Latency } | undefined;
  /** How long each took, where the values are so many in a second. */
  latency?: Latency;
  /** What the ratio of the value to its baseline, or else the value, should be: `≤ 2`. Nothing fails by it. */
  aim?: string | undefined;
}

/** Latencies in milliseconds. */
export interface Latency {
  /** One for each round. */
  p50: readonly number[];
  /** One of all rounds together: the requests of a round are too few to have one. */
  p99: readonly [number];
}

/** An area of the benchmark. */
export interface Area {
  name: string;
  measure(bench: Bench): Promise<Figure[]>;
}
