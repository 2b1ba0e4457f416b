/* The lone UCB of folkmoot/algorithms/ucb.py with the loop of folkmoot/simulation/engine.py. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "coins.h"

typedef struct {
    int64_t replicates, n_agents, n_arms, n_checkpoints;
    const int64_t *checkpoints; /* [n_checkpoints], the last is the horizon */
    const double *means;        /* [n_agents, n_arms] */
    uint32_t seed_low, seed_high;
    int64_t *pulls;      /* [replicates, n_agents, n_arms], zero at first */
    int64_t *team_pulls; /* [replicates, n_checkpoints, n_arms] */
} Game;

static int64_t choose(const double *narrowing, const double *mean, int64_t n_arms, double width) {
    int64_t best = 0;
    double bound = -INFINITY;
    for (int64_t k = 0; k < n_arms; k++) {
        if (narrowing[k] == 0.0) return k;
        double index = mean[k] + width * narrowing[k];
        if (index > bound) { best = k; bound = index; }
    }
    return best;
}

void ucb(const Game *g, double exploration) {
    int64_t n = g->n_agents, K = g->n_arms, T = g->checkpoints[g->n_checkpoints - 1];
    double *mean = malloc(sizeof(double) * n * K), *narrowing = malloc(sizeof(double) * n * K);
    int64_t *team = malloc(sizeof(int64_t) * K);
    for (int64_t r = 0; r < g->replicates; r++) {
        Block key = philox((uint32_t)r, 0, 0, 0, g->seed_low, g->seed_high);
        int64_t *pulls = g->pulls + r * n * K, *checkpoint = g->team_pulls + r * g->n_checkpoints * K, c = 0;
        memset(mean, 0, sizeof(double) * n * K);
        memset(narrowing, 0, sizeof(double) * n * K);
        memset(team, 0, sizeof(int64_t) * K);
        for (int64_t t = 1; t <= T; t++) {
            double width = sqrt(exploration * log((double)t));
            for (int64_t i = 0; i < n; i++) {
                int64_t arm = choose(narrowing + i * K, mean + i * K, K, width), x = i * K + arm;
                double reward = bernoulli(key, g->means[x], t, i, arm);
                pulls[x]++;
                mean[x] += (reward - mean[x]) / pulls[x];
                narrowing[x] = 1.0 / sqrt((double)pulls[x]);
                team[arm]++;
            }
            if (t == g->checkpoints[c]) memcpy(checkpoint + c++ * K, team, sizeof(int64_t) * K);
        }
    }
    free(mean);
    free(narrowing);
    free(team);
}
