import type {Finding} from '../../plugin-sdk/index.ts';
import {familyOf} from './kinds.ts';
import type {Mode} from './settings.ts';

const severe = new Set(['card', 'us-ssn', 'api-key', 'national-id', 'passport', 'driving-licence', 'bank-account']);

/** As many as a verdict may tell of. */
const most = 64;

const place = ({start, end}: {start: number; end: number}, text: number): Finding['span'] => ({text, start, end});

/** What was found and what is done about it; of a stream, without its place. */
export const findingOf = (
	{type, mode, start, end}: {type: string; mode: Mode; start?: number; end?: number},
	channel: Finding['channel'],
	text?: number,
): Finding => {
	const family = familyOf.get(type);
	return {
		detector: type.toLowerCase().replaceAll('_', '-'),
		category: family === 'api-key' ? 'secret' : 'personal-data',
		severity: family !== undefined && severe.has(family) ? 'high' : 'medium',
		score: 0.9,
		channel,
		...(text === undefined || start === undefined || end === undefined ? {} : {span: place({start, end}, text)}),
		action: mode === 'deny' ? 'deny' : 'mask',
	};
};

/** The findings of a verdict, no more than it may hold. */
export const told = (findings: readonly Finding[]): {findings?: Finding[]} =>
	findings.length === 0 ? {} : {findings: findings.slice(0, most)};
