import bisect
import heapq
import operator
from collections import ChainMap, Counter, OrderedDict, UserDict, defaultdict, deque
from operator import itemgetter

from hqg_algorithms import Hold, Strategy, TargetWeights


class Scores(UserDict):
    def __missing__(self, key):
        return 0.0


class SortingAndCollections(Strategy):
    universe = ["XLB", "XLE", "XLF", "XLI", "XLK"]

    def __init__(self):
        self.windows = defaultdict(lambda: deque(maxlen=126))
        self.wins = Counter()
        self.sorted_returns = []
        self.settings = ChainMap({"top": 2}, {"top": 3, "floor": 0.0})

    def on_data(self, data, portfolio):
        for symbol in self.universe:
            if data.has(symbol):
                self.windows[symbol].append(data.close(symbol))
        scores = Scores()
        for symbol, window in self.windows.items():
            if len(window) == window.maxlen:
                scores[symbol] = window[-1] / window[0] - 1
                bisect.insort(self.sorted_returns, scores[symbol])
        if not scores:
            return Hold()
        best = heapq.nlargest(self.settings["top"], scores.items(), key=itemgetter(1))
        ranked = OrderedDict(sorted(scores.items(), key=lambda item: (-item[1], item[0])))
        by_name = sorted(scores.items(), key=operator.itemgetter(0))
        self.wins.update(name for name, score in best if score > self.settings["floor"])
        position = bisect.bisect_left(self.sorted_returns, best[0][1])
        print(self.wins.most_common(1), position, list(ranked)[-1], by_name[0], scores["none"], max(scores, key=scores.get))
        chosen = [name for name, score in best if operator.gt(score, 0)]
        return TargetWeights({name: 1 / len(chosen) for name in chosen})
