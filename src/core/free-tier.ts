/** How much is given away: asked by whoever serves, and by whoever foretells how long free work takes. */

/** Strangers without credit get this part of the measured speed ... */
export const FREE_SHARE = 0.05
/** ... and can use at most an hour's worth of it at once. */
export const FREE_SECONDS = 3_600
/** What lasts is not begun for less than this part of that: its layers would be brought for a few tokens. */
export const FREE_BEGUN_PART = 0.05
