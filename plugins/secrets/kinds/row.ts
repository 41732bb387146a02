/** Which characters a key is made of after its prefix. `dotted`: letters, digits, `_`, `-`, and stops between them. */
export type Alphabet = 'hex' | 'upper' | 'alnum' | 'key' | 'base64' | 'dotted' | 'percent';

/** A kind of key: what it is called, how it begins, what follows, and at least and at most how many of it. */
export type Row = readonly [kind: string, prefix: string, alphabet: Alphabet, least: number, most?: number];
