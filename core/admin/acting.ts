import type {Caller} from '../../plugin-sdk/index.ts';
import type {JournalRecord} from '../../schemas/record.ts';
import {asGatewayError, type GatewayError} from '../errors.ts';
import type {Gateway} from '../gateway.ts';
import {type Differences, differencesOf, withoutSecrets} from './differences.ts';
import {requireAccess} from './roles.ts';

/** What an operator did, as the journal keeps it beside who did it. */
type Deed = {exchange?: string; event: Record<string, unknown>; failure?: GatewayError; plugin?: string};

/** Leaves the record of what `caller` did. Rejects with `journal_unavailable`. */
export const recordDeed = ({journal}: Gateway, caller: Caller, {exchange, event, failure, plugin}: Deed): Promise<void> =>
	journal.append({
		kind: 'admin',
		exchange,
		outcome: failure ? 'failed' : 'ok',
		...(failure && {error: {code: failure.code, plugin}}),
		event: {...event, actor: caller.actor, ...(caller.tenant !== undefined && {tenant: caller.tenant})} as JournalRecord['event'],
	}).written;

type Act = {plugin: string; action: string; input: unknown; exchange?: string};

/**
 * Calls a plugin's action for `caller`, and records who did what, with what it changed; never with its answer, which may be a secret.
 * Rejects with GatewayError, `denied` where the caller's role does not allow it: that is recorded too.
 */
export const act = async (gateway: Gateway, caller: Caller, {plugin, action, input, exchange}: Act): Promise<unknown> => {
	const {house, diary} = gateway;
	const {ended, written} = await diary.during(plugin, async () => {
		requireAccess(caller, house.deed(plugin, action));
		return house.act(plugin, action, input, caller);
	});
	const failure = ended.status === 'rejected' ? asGatewayError(ended.reason) : undefined;
	const differences: Differences | undefined = differencesOf(written);
	await recordDeed(gateway, caller, {exchange, plugin, failure, event: {plugin, action, input: withoutSecrets(input), ...differences}});
	if (ended.status === 'fulfilled') return ended.value;
	throw ended.reason;
};
