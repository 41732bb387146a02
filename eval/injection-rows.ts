import {readRows} from './data.ts';

export type Row = {id: string; text: string; label: 0 | 1; source: string; kind: string; lang: string; channel: string; sub: string};

/** The rows that count: what a system prompt or an answer may say is judged apart. */
export const injectionRows = (folder?: string): Row[] =>
	readRows<Row>('prompt_injection', folder).filter(
		({kind, channel}) => !['harmful-plain', 'malicious-capability'].includes(kind) && !['system', 'assistant'].includes(channel),
	);

const isTask = ({source, sub}: Row): boolean => source.startsWith('bipia') || /attack:(naive|direct)$/.test(sub);

/** The groups of the table in docs/quality.md. */
export const groups: Record<string, (row: Row) => boolean> = {
	'explicit attacks in English': row => row.label === 1 && !isTask(row) && row.lang === 'en',
	'of these, not made from templates': row => row.label === 1 && !isTask(row) && row.lang === 'en' && !row.source.startsWith('synth'),
	'attacks in other languages': row => row.label === 1 && row.lang !== 'en',
	'attacks in tool results that address the agent': row => row.label === 1 && !isTask(row) && row.channel === 'tool',
	'attacks in tool descriptions': row => row.label === 1 && row.channel === 'tool_desc',
	'tasks dropped into data (bipia)': row => row.label === 1 && isTask(row),
	'harmless texts that talk about attacks': row => row.label === 0 && row.kind === 'hard-negative',
	'harmless texts': row => row.label === 0,
};
