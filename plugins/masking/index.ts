import * as z from 'zod';
import {allow, definePlugin, rewrite} from '../../plugin-sdk/index.ts';
import type {DetectorType} from './detectors.ts';
import {type Memory, readMemory, type Settings, writeMemory} from './memory.ts';
import {maskWith, plainly, step} from './stream.ts';
import {createVault, maskText, restoreStep, restoreText, type Vault} from './vault.ts';

const names = {
	email: 'EMAIL',
	card: 'CARD',
	iban: 'IBAN',
	phone: 'PHONE',
	'us-ssn': 'US_SSN',
	ip: 'IP',
	'api-key': 'API_KEY',
} as const satisfies Record<string, DetectorType>;

const kind = z.enum(Object.keys(names) as [keyof typeof names]);

const config = z
	.strictObject({
		mask: z
			.array(kind)
			.min(1)
			.default(Object.keys(names) as (keyof typeof names)[]),
		in: z
			.array(z.enum(['request', 'response']))
			.min(1)
			.default(['request', 'response']),
		/** The provider gets `[EMAIL_1]`, and the client the real value where the model says `[EMAIL_1]`. */
		reversible: z.boolean().default(false),
	})
	.transform(
		({mask, in: directions, reversible}): Settings => ({
			types: mask.map(name => names[name]),
			request: directions.includes('request'),
			response: directions.includes('response'),
			reversible,
		}),
	);

/** New texts by their index, for those that changed. */
const changes = (texts: readonly string[], change: (text: string) => string): Record<string, string> => {
	const patch: Record<string, string> = {};
	for (let index = 0; index < texts.length; index++) {
		const text = texts[index]!;
		const changed = change(text);
		if (changed !== text) patch[index] = changed;
	}
	return patch;
};

const count = (patch: Record<string, string>): number => Object.keys(patch).length;

/** A whole reply: what the model made up is masked, what it repeats of ours is given back. */
const whole = (texts: readonly string[], {types, response}: Settings, vault: Vault) =>
	changes(texts, text => restoreText(response ? maskWith(text, types) : text, vault));

type Piece = {channel: number; text: string; final: boolean};

/** A piece of a stream: so much of it is cleared, and goes out as `out`. */
const piece = ({channel, text, final}: Piece, {types, response}: Settings, memory: Memory): {clear: number; out: string} => {
	const {before, clear, inside, mark} = memory.channels[channel] ?? {before: '', clear: 0, inside: '' as const, mark: ''};
	const masked = response ? step({before, clear, held: '', inside}, text, final, types, plainly) : undefined;
	const {out, held} = restoreStep(mark, masked?.out ?? text, final, memory.vault);
	const state = masked?.state ?? {before: '', clear: 0, held: '', inside: '' as const};
	if (final) delete memory.channels[channel];
	else memory.channels[channel] = {before: state.before, clear: state.clear, inside: state.inside, mark: held};
	return {clear: text.length - state.held.length, out};
};

export default definePlugin({
	config,

	hooks: {
		/** Replaces what it finds before the provider sees it. */
		'pre-request'({text}, {config: settings}) {
			const {types, request, reversible} = settings;
			if (!request) return undefined;
			const vault = createVault();
			const patch = changes(text, part => (reversible ? maskText(part, types, vault) : maskWith(part, types)));
			if (count(patch) === 0) return undefined;
			const annotate = {maskedTexts: count(patch)};
			return reversible
				? rewrite({text: patch}, {annotate, carry: writeMemory({vault, channels: {}})})
				: rewrite({text: patch}, {annotate});
		},

		/** Does the same for the reply, piece by piece where it streams, and gives the client its own values back. */
		'post-response'({text, window, carried}, {config: settings}) {
			if (!settings.response && carried === undefined) return window && allow({clear: window.text.length});
			const memory = readMemory(carried);
			if (!window) {
				const patch = whole(text, settings, memory.vault);
				return count(patch) === 0 ? undefined : rewrite({text: patch});
			}
			const {clear, out} = piece(window, settings, memory);
			const carry = writeMemory(memory);
			return out === window.text.slice(0, clear) ? allow({clear, carry}) : rewrite({window: out}, {clear, carry});
		},
	},
});
