import type {JournalRecord, Notice} from '../schemas/record.ts';
import {type Exchange, openExchange} from './exchange.ts';
import {auditOf, type Gateway} from './gateway.ts';
import type {Crossing} from './ledger/ledger.ts';

const isSame = (one: Crossing, other: Crossing): boolean =>
	one.account === other.account && one.unit === other.unit && one.window === other.window && one.percent === other.percent;

const noticeOf = (crossing: Crossing, exchange: Exchange | undefined): Notice => {
	const {account, unit, window} = crossing;
	const isSoft = exchange?.limits.some(({reserve}) =>
		reserve.some(one => one.soft && one.account === account && one.unit === unit && one.window === window),
	);
	return {...crossing, ...(isSoft && {soft: true})};
};

/** Its own record, when the exchange that reached it has ended, or ran in another process. */
const recordAlone = async (gateway: Gateway, notice: Notice): Promise<void> => {
	const {hooks, house, journal} = gateway;
	const exchange = openExchange({method: '', path: '', ip: '', surface: 'gateway'});
	const record: JournalRecord = {kind: 'gateway', event: {what: 'limit reached'}, notices: [notice], plugins: house.digest};
	if (hooks.listens('on-audit', exchange)) await auditOf(gateway, exchange, record);
	await journal.append(record).written;
};

/** Tells of each share of a limit that was reached, once among all processes: in the record of the exchange that reached it, if that still runs. */
export const tellNotices = (gateway: Gateway): (() => void) =>
	gateway.ledger.onCrossed(crossing => {
		for (const exchange of gateway.running) {
			if (exchange.closed || !exchange.crossed?.some(one => isSame(one, crossing))) continue;
			exchange.notices.push(noticeOf(crossing, exchange));
			return;
		}
		recordAlone(gateway, noticeOf(crossing, undefined)).catch(error =>
			gateway.log.error({err: error, crossing}, 'a notice could not be recorded'),
		);
	});
