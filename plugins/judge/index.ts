import {definePlugin, type Host} from '../../plugin-sdk/index.ts';
import {openOpinions} from '../opinions/ask.ts';
import {moderationShape} from '../opinions/moderation.ts';
import {type Channel, piecesOf} from '../opinions/pieces.ts';
import {verdictOn} from '../opinions/rules.ts';
import type {Shape} from '../opinions/shapes.ts';
import {llamaGuardShape} from './llama-guard.ts';
import {promptShape} from './prompt.ts';
import {promptGuardShape} from './prompt-guard.ts';
import {type Config, config} from './settings.ts';

type Found = {category: string; score: number; channel: Channel; hook: string};
type Looked = {text: readonly string[]; channels: readonly Channel[]; tenant: string | undefined};

const opinionsOn = openOpinions();

const shapeOf = ({config: settings, random}: Host<Config>): Shape => {
	switch (settings.shape) {
		case 'prompt':
			return promptShape(settings, {random});
		case 'llama-guard':
			return llamaGuardShape(settings.params);
		case 'prompt-guard':
			return promptGuardShape(settings.category, settings.params);
		case 'moderation':
			return moderationShape;
	}
};

/** The channels that a guard before is unsure of, at this hook; findings have no place here, so all texts of a channel are asked about. */
const unsureOf = ({band}: Config, hook: string, findings: readonly Found[] | undefined): ReadonlySet<Channel> | 'all' => {
	if (band === 'always') return 'all';
	const between = ({score, category, hook: at}: Found) =>
		at === hook && category === band.category && score >= band.from && score <= band.to;
	return new Set((findings ?? []).filter(between).map(({channel}) => channel));
};

const judged = async ({text, channels, tenant}: Looked, unsure: ReadonlySet<Channel> | 'all', host: Host<Config>) => {
	const {config: settings} = host;
	const asked = (channel: Channel): boolean => settings.channels.includes(channel) && (unsure === 'all' || unsure.has(channel));
	const wanted = (index: number): Channel | undefined => (asked(channels[index] ?? 'user') ? (channels[index] ?? 'user') : undefined);
	const pieces = piecesOf(text, wanted, settings.chars);
	if (pieces.length === 0) return undefined;
	const {rules, onUncertain} = settings;
	const heard = await opinionsOn(pieces, shapeOf(host), tenant, settings, host);
	return verdictOn(heard, 'judge', {rulesFor: () => rules, onUncertain});
};

export default definePlugin({
	config,

	hooks: {
		/** Has another model judge what a guard before is unsure of, and does what the rules say about its verdict. */
		'pre-request'({text, channels, findings, principal}, host) {
			if (!host.config.in.includes('request')) return undefined;
			const unsure = unsureOf(host.config, 'pre-request', findings);
			return unsure === 'all' || unsure.size > 0 ? judged({text, channels, tenant: principal.tenant}, unsure, host) : undefined;
		},

		/** The same for what a model or a tool answers; of an answer that streams, at its end. */
		'post-response'({text, channels, findings, principal, outcome}, host) {
			if (!host.config.in.includes('response') || outcome !== 'ok') return undefined;
			const unsure = unsureOf(host.config, 'post-response', findings);
			return unsure === 'all' || unsure.size > 0 ? judged({text, channels, tenant: principal?.tenant}, unsure, host) : undefined;
		},
	},
});
