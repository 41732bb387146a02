/** The revisions of MCP with sessions that are spoken here, newest first. */
export const legacyVersions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const;
export type LegacyVersion = (typeof legacyVersions)[number];

/** The revision without sessions. */
export const statelessVersion = '2026-07-28';

/** `_meta` keys of the stateless revision. */
export const metaKeys = {
	version: 'io.modelcontextprotocol/protocolVersion',
	capabilities: 'io.modelcontextprotocol/clientCapabilities',
	clientInfo: 'io.modelcontextprotocol/clientInfo',
	logLevel: 'io.modelcontextprotocol/logLevel',
	serverInfo: 'io.modelcontextprotocol/serverInfo',
	subscriptionId: 'io.modelcontextprotocol/subscriptionId',
} as const;

/** Keys of `_meta` that belong to one hop, and never go on from it. */
export const ofTheHop: ReadonlySet<string> = new Set([...Object.values(metaKeys), 'progressToken']);

export const isLegacy = (version: unknown): version is LegacyVersion => (legacyVersions as readonly unknown[]).includes(version);

/** Who this gateway says that it is, on both sides. */
export const ourselves = {name: 'sallyport', version: '0.1.0'} as const;
