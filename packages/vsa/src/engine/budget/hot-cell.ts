/**
 * The numbers that the hot path of one budget works on (G1). The row lease that the budget admits from sets them;
 * both are 0 while there is none. Both are small integers for V8: at most 2^30.
 */
export interface HotCell {
  /**
   * Units that may be spent before the hot path must stop: `left - floor`. The floor is what is left at first, so that the first
   * spending stops, then the low-water mark, then 0. One number, because the difference is all that the hot path asks for.
   */
  room: number
  /** What `room` is when nothing has been spent since the last send: a refund on the hot path goes no further (O4). */
  roomMax: number
}
