import type {Channel} from '../../schemas/verdict.ts';
import type {Exchange} from '../exchange.ts';
import type {Gateway} from '../gateway.ts';
import type {Member} from '../hooks.ts';
import {shownTo} from '../listening.ts';
import type {Guard} from '../upstream/hold-back.ts';
import {responseFields} from './after.ts';

/** What a channel of a stream carries. */
export type Carries = {
	from: Channel;
	/** Of a string in the arguments of a tool: the field that it is the value of. */
	name?: string;
	/** It is what the model says to whoever asked. */
	isAnswer?: boolean;
};

/** A plugin that reads windows, as a guard of one stream. */
export const guardOf = ({hooks}: Gateway, exchange: Exchange, member: Member, carries: (channel: number) => Carries): Guard => {
	const {chars, overlap, flushMs} = member.plugin.manifest.hooks['post-response']!.window ?? {chars: 1_024, overlap: 256, flushMs: 50};
	const shown = shownTo(member, exchange);
	return {
		name: member.plugin.name,
		// Of what it is not shown nothing waits.
		chars: shown === 'everything' ? chars : 0,
		overlap,
		flushMs,
		ask(channel, text, final) {
			if (shown !== 'everything' && !shown.includes(carries(channel).from)) return {clear: text.length};
			const answer = hooks.askWindow(exchange, member, responseFields(exchange, {window: {channel, text, final, ...carries(channel)}}));
			const clearance = (verdict: Awaited<typeof answer>) => {
				// It is shown again what it has not done with; nothing waits for one who only looks on for longer than it may.
				if (member.mode === 'observe') {
					const clear = final ? text.length : (verdict?.clear ?? Math.max(0, text.length - overlap));
					return {clear: text.length - clear > chars + overlap ? text.length : Math.min(clear, text.length)};
				}
				if (!verdict) return final ? {clear: text.length} : {};
				const replacement = verdict.verdict === 'rewrite' ? verdict.patch.window : undefined;
				return {...(verdict.clear !== undefined && {clear: verdict.clear}), ...(replacement !== undefined && {replacement})};
			};
			return answer instanceof Promise ? answer.then(clearance) : clearance(answer);
		},
	};
};
