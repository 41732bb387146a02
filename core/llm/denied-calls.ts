import {GatewayError} from '../errors.ts';
import type {Exchange} from '../exchange.ts';
import type {Gateway} from '../gateway.ts';

const hook = 'on-tool-call';

/** What a rule says of one call. What failed, and what stands against the whole exchange, ends the answer in any case. */
const isOfOneCall = ({revoked}: Exchange, thrown: unknown): thrown is GatewayError & {plugin: string} =>
	thrown instanceof GatewayError && thrown.plugin !== undefined && thrown.status < 500 && !revoked;

/** The record has no error for an answer that goes on: what was denied stands among its rulings. */
const noteReplaced = ({rulings}: Exchange, {plugin, code, rule}: GatewayError & {plugin: string}): void => {
	const known = rulings.find(
		one =>
			one.plugin === plugin &&
			one.hook === hook &&
			one.verdict === 'deny' &&
			(one.code ?? 'denied') === code &&
			one.rule === rule &&
			one.mode === undefined,
	);
	if (known) known.replaced = (known.replaced ?? 0) + 1;
	else rulings.push({plugin, hook, verdict: 'deny', code, ...(rule && {rule}), replaced: 1});
};

/**
 * What the answer says in the place of a call that was refused with `thrown`, where the config has it go on (`askedTools.denied`): which tool, by
 * which rule, and why; nothing of its arguments. Otherwise throws `thrown`. `shown`: guards are still to see these words; without that,
 * the reason is not the plugin's own.
 */
export const wordsForDenied = (
	{config}: Pick<Gateway, 'config'>,
	exchange: Exchange,
	name: string,
	thrown: unknown,
	{shown = true}: {shown?: boolean} = {},
): string => {
	if (config.askedTools.denied === 'cut' || !isOfOneCall(exchange, thrown)) throw thrown;
	noteReplaced(exchange, thrown);
	const {plugin, rule, message, facts} = thrown;
	const by = rule ? `${plugin}, rule ${rule}` : plugin;
	return `The call of the tool ${JSON.stringify(name.slice(0, 100))} was denied by ${by}: ${shown ? message : facts.help}`;
};
