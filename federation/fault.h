/* SPDX-License-Identifier: MIT */
#pragma once

/* Faults as peers exchange them (xroad-wire 5.4 to 5.6). */

#include "federation/soap.h"

/* A SOAP Fault, one line, as a security server sends it. detail_xml, when given, is well-formed
 * XML put inside <detail> after faultDetail (mapping faults carry their structured detail there).
 */
void slt_fault_soap(const char *code, const char *string, const char *actor, const char *detail,
		    const char *detail_xml, struct slt_buf *out);
/* {"type":…,"message":…,"detail":…}, or the XML form when `xml`. more, when given, stands after
 * that: members of a JSON object, or well-formed XML. */
void slt_fault_rest(const char *code, const char *message, const char *detail, const char *more,
		    bool xml, struct slt_buf *out);
