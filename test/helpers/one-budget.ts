import {costMicroUsd, type Place} from './replicas.ts';

/** Who pays for every call of the first key. */
export const account = 'tenant:default';

/** The plugin that lets so many calls pass, ever. */
export const budgetOf = (calls: number) => ({
	use: 'budgets',
	config: {window: 'total', limitUsd: {[account]: (calls * costMicroUsd) / 1e6}},
});

/** What the journals of these places booked on the account, in micro-dollars. A total is everything that they have. */
export const bookedIn = async (places: readonly Place[]): Promise<number> => {
	let sum = 0;
	for (const {journal} of places)
		for (const {kind, bookings = []} of await journal())
			if (kind === 'exchange') for (const {key, amount} of bookings) if (key.startsWith(`${account}|`)) sum += amount;
	return sum;
};
