/* SPDX-License-Identifier: MIT */
#include "tests/instance/country.h"

#define PROFILE(name) "ee.ria.xroad.common.certificateprofile.impl." name

/* clang-format off */
static const struct slt_country countries[] = {
	{
		.code = "EE",
		.profile = PROFILE("SkKlass3CertificateProfileInfoProvider"),
		.member = {
			[SLT_CENTRE] = {"centre", "GOV", "70000444", "Retseptikeskus", "retseptikeskus", NULL, "ts1"},
			[SLT_PHARMACY] = {"pharmacy", "COM", "10000123", "Näidisapteek OÜ", "apteek", "ladu", "ts2"},
			[SLT_BRIDGE] = {"bridge", "GOV", "70000332", "Piiriülene sild", "piiriylene", NULL, "silta1"},
		},
		.keeps_connections = false,
		.pharmacies = "apteegid",
		.cross_border = "piiriylesed",
		.words = {
			.ns = "http://digiretsept.example.ee/piiriylene/1", .prefix = "dr",
			.op_list = "valisretseptideLoetelu", .op_fetch = "valisretseptiParing",
			.op_dispense = "valisretseptiMyyk", .op_cancel = "valisretseptiMyygiTyhistamine",
			.person = "isik", .person_root = "oid", .person_code = "kood",
			.person_oid = "1.3.6.1.4.1.28284.6.2.2.1",
			.rx_id = "retseptiTunnus", .sale_id = "myygiTunnus", .id_root = "oid", .id_ext = "nr",
			.form = "kuju", .form_inline = "sees", .form_attached = "lisana",
			.document = "dokument", .document_ref = "dokumendiLisa",
			.reason = "pohjus",
			.item = "retsept", .status = "olek", .issued = "koostatud",
			.valid_until = "kehtivKuni", .product = "ravim",
			.atc = "toimeaine", .atc_code = "atc", .atc_name = "nimetus",
			.dose_form = "ravimvorm", .dose_code = "kood", .dose_name = "nimetus",
			.dose_oid = "1.3.6.1.4.1.28284.6.2.1.12",
			.strength = "tugevus", .quantity = "kogus",
			.status_code = "kood",
			.open = "00", .dispensed = "10", .reserved = "20", .annulled = "99",
			.sale_root = "1.3.6.1.4.1.28284.6.2.4.4", .sale_extension = true,
			.no_export_list = "retsepti-liik", .no_export_codes = " 2 3 ",
			.refusal = {
				[SLT_NO_RX] = {"dr:EI_LEITUD", "Retsepti ei leitud"},
				[SLT_NOT_OPEN] = {"dr:EI_OLE_VALJASTATAV", "Retsept ei ole väljastatav"},
				[SLT_NO_EXPORT] = {"dr:EI_OLE_VALJASTATAV", "Retsepti ei saa välismaal väljastada"},
				[SLT_NO_SALE] = {"dr:MYYKI_EI_LEITUD", "Müüki ei leitud"},
				[SLT_BAD_REQUEST] = {"dr:VIGANE", "Päringus puudub andmeväli või see on vigane"},
				[SLT_BAD_DOCUMENT] = {"dr:VIGANE", "Dokument ei ole kehtiv müügidokument"},
				[SLT_OTHER_PERSON] = {"dr:VIGANE", "Dokumendi isik erineb päringu isikust"},
				[SLT_OTHER_RX] = {"dr:VIGANE", "Dokument käib teise retsepti kohta"},
				[SLT_OTHER_FORM] = {"dr:VIGANE", "Väljastatud ravimvorm erineb määratust"},
				[SLT_BAD_QUANTITY] = {"dr:VIGANE", "Väljastatud kogus ei ole lubatud"},
			},
		},
	},
	{
		.code = "FI",
		.profile = PROFILE("FiVRKCertificateProfileInfoProvider"),
		.member = {
			[SLT_CENTRE] = {"centre", "GOV", "9876543-0", "Reseptikeskus", "reseptikeskus", NULL, "lp1"},
			[SLT_PHARMACY] = {"pharmacy", "COM", "9012340-9", "Malliapteekki Oy", "apteekki", "varasto", "lp2"},
			[SLT_BRIDGE] = {"bridge", "GOV", "9999990-9", "Rajat ylittävä silta", "silta", NULL, "silta1"},
		},
		.keeps_connections = true,
		.pharmacies = "apteekit",
		.cross_border = "rajat-ylittavat",
		.words = {
			.ns = "http://reseptikeskus.example.fi/rajat-ylittava/1", .prefix = "rk",
			.op_list = "HaeLaakemaaraykset", .op_fetch = "HaeLaakemaarays",
			.op_dispense = "TallennaLaaketoimitus", .op_cancel = "MitatoiLaaketoimitus",
			.person = "henkilo", .person_root = "juuri", .person_code = "tunnus",
			.person_oid = "1.2.246.21",
			.rx_id = "laakemaaraysTunnus", .sale_id = "toimitusTunnus",
			.id_root = "juuri", .id_ext = "jatke",
			.form = "muoto", .form_inline = "upotettu", .form_attached = "liite",
			.document = "asiakirja", .document_ref = "asiakirjaLiite",
			.reason = "syy",
			.item = "laakemaarays", .status = "tila", .issued = "maarayspaiva",
			.valid_until = "voimassaAsti", .product = "laakkeenNimi",
			.atc = "atc", .atc_code = "koodi", .atc_name = "nimi",
			.dose_form = "laakemuoto", .dose_code = "koodi", .dose_name = "nimi",
			.dose_oid = "1.2.246.537.6.852",
			.strength = "vahvuus", .quantity = "maara",
			.status_code = NULL,
			.open = "VOIMASSA", .dispensed = "TOIMITETTU", .reserved = "VARATTU", .annulled = "MITATOITY",
			.sale_root = "1.2.246.10.98765430.94", .sale_extension = false,
			.no_export_list = "1.2.246.537.5.40118.2006", .no_export_codes = " H P Z ",
			.refusal = {
				[SLT_NO_RX] = {"rk:EI_LOYDY", "Lääkemääräystä ei löydy"},
				[SLT_NOT_OPEN] = {"rk:EI_TOIMITETTAVISSA", "Lääkemääräys ei ole toimitettavissa"},
				[SLT_NO_EXPORT] = {"rk:EI_TOIMITETTAVISSA", "Lääkemääräystä ei voi toimittaa ulkomailla"},
				[SLT_NO_SALE] = {"rk:TOIMITUSTA_EI_LOYDY", "Lääketoimitusta ei löydy"},
				[SLT_BAD_REQUEST] = {"rk:VIRHEELLINEN", "Pyynnöstä puuttuu tieto tai se on virheellinen"},
				[SLT_BAD_DOCUMENT] = {"rk:VIRHEELLINEN", "Asiakirja ei ole kelvollinen lääketoimitus"},
				[SLT_OTHER_PERSON] = {"rk:VIRHEELLINEN", "Asiakirjan henkilö on eri kuin pyynnön"},
				[SLT_OTHER_RX] = {"rk:VIRHEELLINEN", "Asiakirja koskee toista lääkemääräystä"},
				[SLT_OTHER_FORM] = {"rk:VIRHEELLINEN", "Toimitettu lääkemuoto on toinen kuin määrätty"},
				[SLT_BAD_QUANTITY] = {"rk:VIRHEELLINEN", "Toimitettu määrä ei ole sallittu"},
			},
		},
	},
};
/* clang-format on */

const struct slt_country *slt_country_find(const char *code)
{
	for (size_t i = 0; i < SLT_COUNT(countries); i++) {
		if (slt_strcase_eq(countries[i].code, code)) {
			return &countries[i];
		}
	}
	return NULL;
}

struct slt_id slt_country_member_id(const struct slt_country_member *m, const char *instance)
{
	return (struct slt_id){.type = SLT_ID_MEMBER,
			       .instance = instance,
			       .member_class = m->member_class,
			       .member_code = m->code};
}

struct slt_id slt_country_client_id(const struct slt_country_member *m, const char *instance)
{
	struct slt_id id = slt_country_member_id(m, instance);
	id.type = SLT_ID_SUBSYSTEM;
	id.subsystem = m->subsystem;
	return id;
}

struct slt_id slt_country_server_id(const struct slt_country_member *m, const char *instance)
{
	struct slt_id id = slt_country_member_id(m, instance);
	id.type = SLT_ID_SERVER;
	id.server = m->server;
	return id;
}
