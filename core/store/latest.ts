export type KvWrite = {plugin: string; entries: Record<string, string | null>};

/** What writes come to together, a later one before an earlier one: so that many cost two statements. */
export const latestOf = (writes: readonly KvWrite[]) => {
	const last = new Map<string, {plugin: string; key: string; value: string | null}>();
	for (const {plugin, entries} of writes)
		for (const [key, value] of Object.entries(entries)) last.set(JSON.stringify([plugin, key]), {plugin, key, value});
	const kept: {plugin: string; key: string; value: string}[] = [];
	const gone: {plugin: string; key: string}[] = [];
	for (const {plugin, key, value} of last.values()) {
		if (value === null) gone.push({plugin, key});
		else kept.push({plugin, key, value});
	}
	return {kept, gone};
};
