"""How it is predicted: one file a model, the baselines that teams use today among them."""
