/** What is kept of an answer while it streams: how many questions it has cost and, by channel, what is still to be asked about. */
export type Memory = {asked: number; texts: Record<number, string>; isOver?: true};

export const readMemory = (carried: string | undefined): Memory =>
	// Only this plugin's own `carry` comes back here.
	carried === undefined ? {asked: 0, texts: {}} : (JSON.parse(carried) as Memory);

const charsOf = ({texts}: Memory): number => Object.values(texts).reduce((chars, text) => chars + text.length, 0);

/** Keeps what was said until its channel ends; more than could be asked about is not kept, and known to be missing. */
export const gather = (memory: Memory, channel: number, text: string, mostChars: number): void => {
	if (charsOf(memory) + text.length > mostChars) memory.isOver = true;
	else memory.texts[channel] = (memory.texts[channel] ?? '') + text;
};

/** Takes what was gathered of a channel. */
export const taken = (memory: Memory, channel: number): string => {
	const text = memory.texts[channel] ?? '';
	delete memory.texts[channel];
	return text;
};
