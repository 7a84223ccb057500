/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The listener of a side with bearer message. The bridge speaks there as X-Road's client proxy does
 * to information systems: an ordinary security server calls it as its provider's information
 * system, or an information system calls it directly. SOAP is posted to any path but those of REST,
 * which has the one of its service: /r1/INSTANCE/CLASS/MEMBER[/SUBSYSTEM]/SERVICE[/path][?query].
 * GET /listClients[?xRoadInstance=INSTANCE] lists members and subsystems, in XML or, where Accept
 * names application/json, in JSON.
 */

#include "inbound.h"

/* For a server whose arg is the struct slt_inbound. */
extern const struct slt_server_handler slt_inbound_message_handler;
/* Is it REST, by its path? */
bool slt_inbound_message_is_rest(const struct slt_request *r);
