from torch import nn

Layer = nn.Linear
