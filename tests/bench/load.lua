-- SPDX-License-Identifier: MIT
-- wrk script: posts the SOAP message in the file SILTA_LOAD_BODY, its id new each time, and counts
-- what came back; a fault comes with status 200. Prints one line of JSON at the end.
local template, threads = nil, {}

function setup(thread)
	table.insert(threads, thread)
	thread:set("id", #threads)
end

function init()
	local f = assert(io.open(os.getenv("SILTA_LOAD_BODY")))
	template = f:read("*a")
	f:close()
	sent, good, faults, first = 0, 0, 0, ""
	wrk.method = "POST"
	wrk.headers["Content-Type"] = "text/xml; charset=UTF-8"
	wrk.headers["SOAPAction"] = '""'
end

function request()
	sent = sent + 1
	local unique = string.format("load-%s-%d-%d", os.getenv("SILTA_LOAD_RUN"), id, sent)
	local body = template:gsub("MESSAGE%-ID", unique, 1)
	return wrk.format(nil, nil, nil, body)
end

function response(status, _, body)
	if status == 200 and not body:find("Fault>", 1, true) then
		good = good + 1
	else
		faults = faults + 1
		if first == "" then
			first = body:match("<faultcode>([^<]*)") or tostring(status)
		end
	end
end

function done(summary, latency)
	local all, bad, why = 0, 0, ""
	for _, t in ipairs(threads) do
		all = all + t:get("good")
		bad = bad + t:get("faults")
		if why == "" then
			why = t:get("first")
		end
	end
	local e = summary.errors
	print(string.format(
		'{"good": %d, "faults": %d, "first": "%s", "lost": %d, "timeouts": %d, "seconds": %.6f, '
			.. '"p50": %.3f, "p99": %.3f, "max": %.3f}',
		all, bad, why, e.connect + e.read + e.write, e.timeout, summary.duration / 1e6,
		latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
