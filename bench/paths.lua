-- wrk -s paths.lua URL -- FILE SEED: asks for the paths in FILE in a shuffled order, over and over, and prints one line of figures.
local requests, count, at = {}, 0, 0
function init(arguments)
  local paths = {}
  for line in io.lines(arguments[1]) do paths[#paths + 1] = line end
  math.randomseed(tonumber(arguments[2]))
  for k = #paths, 2, -1 do
    local j = math.random(k)
    paths[k], paths[j] = paths[j], paths[k]
  end
  for k = 1, #paths do requests[k] = wrk.format("GET", paths[k]) end
  count = #requests
end
function request()
  at = at % count + 1
  return requests[at]
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format("FIGURES %d %d %d %.1f %.1f %d\n", summary.requests, summary.duration, summary.bytes,
    latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
