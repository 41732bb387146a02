import {askedFor} from './injection-asked.ts';
import {harmlessAskedFor, harmlessOfTools} from './injection-harmless.ts';
import {personas, rolePlays} from './injection-personas.ts';
import {phraseRows} from './injection-phrases.ts';
import {plantedOrders, poisonedTools} from './injection-planted.ts';
import type {Row} from './injection-rows.ts';
import {pickBy, seeded} from './injection-spin.ts';

const row = (text: string, label: 0 | 1, source: string, channel: string, sub = ''): Row => ({
	id: '',
	text,
	label,
	source,
	kind: label ? 'direct' : 'hard-negative',
	lang: 'en',
	channel,
	sub,
});

/** A few words of a harmless text of a tool, with an order in the middle. */
const around = (text: string, carrier: Row, next: () => number): string => {
	const words = carrier.text.split(' ');
	const at = Math.floor(next() * words.length);
	const near = 4 + Math.floor(next() * 24);
	return [...words.slice(Math.max(0, at - near), at), text, ...words.slice(at, at + near)].join(' ');
};

/** All of the project's own texts; `data` are those that orders are planted into. The same data give the same texts. */
export const ownRows = (data: readonly Row[]): Row[] => {
	const next = seeded(41);
	const carriers = data.filter(({label, channel}) => label === 0 && channel === 'tool');
	const rows = phraseRows(data);
	for (const text of personas(900, next)) rows.push(row(text, 1, 'own-personas', 'user'));
	for (const text of rolePlays(700, next)) rows.push(row(text, 0, 'own-role-plays', 'user'));
	for (const text of askedFor(1_200, next)) rows.push(row(text, 1, 'own-asked', 'user'));
	for (const text of harmlessAskedFor(1_200, next)) rows.push(row(text, 0, 'own-harmless-asked', 'user'));
	for (const [index, text] of plantedOrders(1_400, next).entries()) {
		const carrier = pickBy(carriers, next);
		if (index % 2) rows.push(row(around(text, carrier, next), 1, 'own-orders', 'tool', `planted:${carrier.source}`));
		else rows.push(row(text, 1, 'own-orders', 'tool'));
	}
	for (const text of poisonedTools(500, next)) rows.push(row(text, 1, 'own-poisoned', 'tool_desc'));
	for (const {text, channel} of harmlessOfTools(1_400, next)) rows.push(row(text, 0, 'own-harmless-tools', channel));
	return rows;
};
