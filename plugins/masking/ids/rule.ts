/** How one kind of number is written, checked, and told from others. */
export type Rule = {
	readonly type: IdType;
	/** Letters and digits without separators, letters as capitals. */
	readonly shape: RegExp;
	/** Its lengths without separators, shortest and longest. */
	readonly length: readonly [least: number, most: number];
	/** How it must be written, separators and all, where that says more than the digits. */
	readonly written?: RegExp;
	readonly check?: (compact: string) => boolean;
	/** Words one of which must stand before it; without, its shape and its check are enough. */
	readonly named?: RegExp;
	/** True where a text that holds nothing else needs no such word. */
	readonly alone?: boolean;
};

/** What the second detector finds: numbers of states and banks, of devices and wallets, and what only a word before it tells. */
export const idTypes = [
	'MAC',
	'CRYPTO',
	'IMEI',
	'ABA_ROUTING',
	'DOB',
	'PASSPORT',
	'AR_CUIT',
	'AU_ABN',
	'AU_ACN',
	'AU_MEDICARE',
	'AU_TFN',
	'BE_NN',
	'BR_CNPJ',
	'BR_CPF',
	'CA_SIN',
	'CH_AHV',
	'CL_RUT',
	'CN_RIC',
	'CZ_RC',
	'DE_HEALTH_INSURANCE',
	'DE_SOCIAL_SECURITY',
	'DE_TAX_ID',
	'DK_CPR',
	'EC_CI',
	'EE_IK',
	'ES_CIF',
	'ES_NIF',
	'FI_PERSONAL_IDENTITY_CODE',
	'FR_NIR',
	'HR_OIB',
	'IE_PPS',
	'IL_ID',
	'IN_AADHAAR',
	'IN_GSTIN',
	'IN_PAN',
	'IT_FISCAL_CODE',
	'KR_FRN',
	'KR_PASSPORT',
	'KR_RRN',
	'LT_AK',
	'MX_CURP',
	'NL_BSN',
	'NO_FNR',
	'PL_PESEL',
	'RO_CNP',
	'SE_ORGANISATIONSNUMMER',
	'SE_PERSONNUMMER',
	'TH_TNIN',
	'TR_NATIONAL_ID',
	'UK_DRIVING_LICENCE',
	'UK_NHS',
	'UK_NINO',
	'US_ITIN',
	'US_MBI',
	'US_NPI',
	'ZA_ID_NUMBER',
] as const;

export type IdType = (typeof idTypes)[number];
