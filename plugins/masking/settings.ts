import * as z from 'zod';
import type {DetectorType} from './detectors.ts';
import {type Family, families, familyNames, familyOf, isDetectorType, type Kind} from './kinds.ts';

const family = z.enum(familyNames);
const mode = z.enum(['redact', 'mask', 'deny']);

export type Mode = z.output<typeof mode>;

/** The config, as the handlers use it. */
export type Settings = {
	types: readonly DetectorType[];
	ids: ReadonlySet<string>;
	request: boolean;
	response: boolean;
	reversible: boolean;
	modeOf: (kind: Kind) => Mode;
	/** Whether a value is one that may be seen. */
	allowed: (value: string) => boolean;
};

export const config = z
	.strictObject({
		mask: z.array(family).min(1).default(familyNames),
		in: z
			.array(z.enum(['request', 'response']))
			.min(1)
			.default(['request', 'response']),
		/** The provider gets `[EMAIL_1]`, and the client the real value where the model says `[EMAIL_1]`. */
		reversible: z.boolean().default(false),
		/** `redact`, the default, says what stood there; `mask` keeps the last four characters; `deny` refuses. */
		modes: z.partialRecord(family, mode).default({}),
		/** Values that may be seen, however they are spelled in capitals: an address of your own support. */
		allow: z.array(z.string().min(1).max(250)).max(1_000).default([]),
	})
	.transform(({mask, in: directions, reversible, modes, allow}): Settings => {
		const kinds = mask.flatMap(name => families[name]);
		const byFamily: Partial<Record<Family, Mode>> = modes;
		const open = new Set(allow.map(value => value.toLowerCase()));
		return {
			types: kinds.filter(isDetectorType),
			ids: new Set(kinds.filter(kind => !isDetectorType(kind))),
			request: directions.includes('request'),
			response: directions.includes('response'),
			reversible,
			modeOf: kind => byFamily[familyOf.get(kind)!] ?? 'redact',
			allowed: value => open.size > 0 && open.has(value.toLowerCase()),
		};
	});
