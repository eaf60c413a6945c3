/** How full a table is, and how full it may be: what tests and the simulator hold every part to. */
export type Size = { readonly what: string; readonly held: number; readonly limit: number }
