import type {HookName} from '../schemas/hooks.ts';
import type {Exchange} from './exchange.ts';
import type {Fields, Member} from './hooks.ts';
import {inScope} from './scope.ts';

/** Whether a member is asked at a hook about such an exchange: its manifest has the operation, and the config has it in scope. */
export const openTakingPart =
	(taintsOf: (exchange: Exchange) => readonly string[]) =>
	({plugin, when}: Member, hook: HookName, exchange: Exchange, fields?: Fields): boolean => {
		const {operations, operationsWhenTainted: more} = plugin.manifest.hooks[hook]!;
		const {operation} = exchange;
		if (operations && !(operation && operations.includes(operation)))
			if (!(more && operation && more.includes(operation) && taintsOf(exchange).length > 0)) return false;
		return !when || inScope(when, exchange, hook, fields);
	};
