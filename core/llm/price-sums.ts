/** Money that is exact however large it is: whole micro-dollars, and whole pico-dollars beside them. */
export type Sum = {microUsd: number; picoUsd: number};

const picoPerMicro = 1e6;

/** Whole pico-dollars of a price in micro-dollars (US dollars per million), upwards; dust of floating point below a thousandth is none. */
export const picoUsd = (usdPerMillion: number): number => Math.ceil(Number((usdPerMillion * picoPerMicro).toFixed(3)));

export const sumOf = (): Sum => ({microUsd: 0, picoUsd: 0});

/** `count` times `rate` more. Both are whole, up to 10⁹ and 10¹⁵: no product leaves the numbers that are exact. */
export const timesPico = (sum: Sum, count: number, rate: number): Sum => {
	const rest = rate % picoPerMicro;
	const pico = sum.picoUsd + count * rest;
	const carried = pico % picoPerMicro;
	return {microUsd: sum.microUsd + count * ((rate - rest) / picoPerMicro) + (pico - carried) / picoPerMicro, picoUsd: carried};
};

/** Whole micro-dollars, rounded up. */
export const microUsd = ({microUsd: whole, picoUsd: rest}: Sum): number => Math.min(whole + (rest > 0 ? 1 : 0), Number.MAX_SAFE_INTEGER);
